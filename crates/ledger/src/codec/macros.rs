//! What defines a type together with its canonical bytes.

/// Defines a record: a struct whose canonical bytes are those of its fields in order.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $kind:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $kind,)*
        }
        impl $crate::codec::Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                $($crate::codec::Encode::encode(&self.$field, out);)*
            }
        }
        impl $crate::codec::Decode for $name {
            fn decode(input: &mut &[u8]) -> Result<Self, $crate::codec::DecodeError> {
                Ok(Self { $($field: $crate::codec::Decode::decode(input)?,)* })
            }
        }
    };
}
pub(crate) use record;

/// Defines an enum of plain cases with a stable number each, encoded in one byte.
macro_rules! coded {
    ($(#[$meta:meta])* pub enum $name:ident ($what:literal) {
        $($(#[$case_meta:meta])* $case:ident = $code:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$case_meta])* $case,)*
        }
        impl $name {
            /// The stable number of this case.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$case => $code,)* }
            }
            /// All cases, by number.
            pub const ALL: &'static [Self] = &[$(Self::$case,)*];
        }
        impl $crate::codec::Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                out.push(self.code());
            }
        }
        impl $crate::codec::Decode for $name {
            fn decode(input: &mut &[u8]) -> Result<Self, $crate::codec::DecodeError> {
                match <u8 as $crate::codec::Decode>::decode(input)? {
                    $($code => Ok(Self::$case),)*
                    value => Err($crate::codec::DecodeError::UnknownTag {
                        field: $what,
                        value: value.into(),
                    }),
                }
            }
        }
    };
}
pub(crate) use coded;

/// Defines an enum whose cases carry one record each, encoded as a tag and the record: a group of
/// actions.
macro_rules! cases {
    ($(#[$meta:meta])* pub enum $name:ident ($what:literal) {
        $($(#[$case_meta:meta])* $case:ident($kind:ty) = $tag:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$case_meta])* $case($kind),)*
        }
        impl $crate::codec::Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$case(value) => {
                        out.push($tag);
                        $crate::codec::Encode::encode(value, out);
                    })*
                }
            }
        }
        impl $crate::codec::Decode for $name {
            fn decode(input: &mut &[u8]) -> Result<Self, $crate::codec::DecodeError> {
                match <u8 as $crate::codec::Decode>::decode(input)? {
                    $($tag => $crate::codec::Decode::decode(input).map(Self::$case),)*
                    value => Err($crate::codec::DecodeError::UnknownTag {
                        field: $what,
                        value: value.into(),
                    }),
                }
            }
        }
    };
}
pub(crate) use cases;
