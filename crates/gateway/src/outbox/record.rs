//! The records of the outbox file.

use duet_ledger::{Acknowledgement, Decode, DecodeError, Encode, decode_all};

use crate::batch::SignedBatch;
use crate::reading::PeriodReading;

/// One change of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// 1: A meter stands here, and these readings follow from it. A rewritten file has readings
    /// without a meter (unit 0, no checkpoint).
    Closed { unit: u32, checkpoint: Vec<u8>, readings: Vec<PeriodReading> },
    /// 2: The oldest open readings are this batch.
    Sealed(Box<SignedBatch>),
    /// 3: A batch is final.
    Final { sequence: u64 },
    /// 4: A dispatch has this answer.
    Answer(Acknowledgement),
    /// 5: The answer is final.
    AnswerFinal { dispatch: u64 },
    /// 6: The last sequence, where no batch says it any more.
    Sequence { last: u64 },
}

impl Record {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Closed { unit, checkpoint, readings } => {
                out.push(1);
                unit.encode(&mut out);
                (checkpoint.len() as u32).encode(&mut out);
                out.extend_from_slice(checkpoint);
                readings.iter().for_each(|reading| reading.encode(&mut out));
            }
            Self::Sealed(batch) => {
                out.push(2);
                out.extend_from_slice(&batch.to_bytes());
            }
            Self::Final { sequence } => {
                out.push(3);
                sequence.encode(&mut out);
            }
            Self::Answer(answer) => {
                out.push(4);
                answer.encode(&mut out);
            }
            Self::AnswerFinal { dispatch } => {
                out.push(5);
                dispatch.encode(&mut out);
            }
            Self::Sequence { last } => {
                out.push(6);
                last.encode(&mut out);
            }
        }
        out
    }

    pub(super) fn from_bytes(mut bytes: &[u8]) -> Result<Self, DecodeError> {
        let input = &mut bytes;
        Ok(match u8::decode(input)? {
            1 => {
                let (unit, length) = (u32::decode(input)?, u32::decode(input)? as usize);
                let split = input.split_at_checked(length);
                let (checkpoint, rest) = split.ok_or(DecodeError::Truncated("checkpoint"))?;
                *input = rest;
                let mut readings = Vec::new();
                while !input.is_empty() {
                    readings.push(Decode::decode(input)?);
                }
                Self::Closed { unit, checkpoint: checkpoint.to_vec(), readings }
            }
            2 => {
                let batch = SignedBatch::from_bytes(input);
                let damaged = |_| DecodeError::Truncated("batch");
                Self::Sealed(Box::new(batch.map_err(damaged)?))
            }
            3 => Self::Final { sequence: decode_all(input)? },
            4 => Self::Answer(decode_all(input)?),
            5 => Self::AnswerFinal { dispatch: decode_all(input)? },
            6 => Self::Sequence { last: decode_all(input)? },
            tag => return Err(DecodeError::UnknownTag { field: "record", value: tag.into() }),
        })
    }
}
