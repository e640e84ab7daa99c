//! The body of a block: transactions in order.

use crate::codec::{Decode, DecodeError, Encode, decode_length, encode_length, take};
use crate::transaction::{MAX_TRANSACTION_BYTES, Transaction};

/// The most transactions of one block.
pub const MAX_BLOCK_TRANSACTIONS: usize = 8_192;

/// The transactions of a block, as its bytes hold them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// In the order in which they are applied.
    pub transactions: Vec<Transaction>,
}

impl Encode for Body {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_length(self.transactions.len(), out);
        for transaction in &self.transactions {
            encode_length(transaction.bytes().len(), out);
            out.extend_from_slice(transaction.bytes());
        }
    }
}

impl Decode for Body {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let count = decode_length(input, "transactions", MAX_BLOCK_TRANSACTIONS)?;
        let mut transactions = Vec::new();
        for _ in 0..count {
            let length = decode_length(input, "transaction", MAX_TRANSACTION_BYTES)?;
            transactions.push(Transaction::from_bytes(take(input, length, "transaction")?)?);
        }
        Ok(Self { transactions })
    }
}
