//! Keyset pages: an opaque token holds the sort key of the last row and a hash of the filter it belongs to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::parse::{InvalidInput, Parser};

const VERSION: u8 = 1;

/// What a list is asked for.
#[derive(Debug)]
pub struct PageRequest<K> {
    /// How many rows.
    pub size: i64,
    /// Rows after this key; the first page where none.
    pub after: Option<K>,
}

/// Writes and reads page tokens whose key is any serialisable value.
#[derive(Debug)]
pub struct PageToken;

impl PageToken {
    /// The token of the page after `key`, for a list with this filter (any text that differs when the filter does).
    pub fn encode<K: Serialize>(key: &K, filter: &str) -> String {
        let body = serde_json::to_vec(key).unwrap_or_default();
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&Sha256::digest(filter.as_bytes())[..8]);
        bytes.extend_from_slice(&body);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The key in a token; refuses tokens that are not ours or belong to another filter.
    pub fn decode<K: DeserializeOwned>(token: &str, filter: &str) -> Result<Option<K>, InvalidInput> {
        if token.is_empty() {
            return Ok(None);
        }
        let wrong = || InvalidInput::one("page_token", "must be the next_page_token of an earlier answer to the same request");
        if token.len() > 2048 {
            return Err(wrong());
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?;
        match bytes.split_first() {
            Some((&VERSION, rest)) if rest.len() > 8 && rest[..8] == Sha256::digest(filter.as_bytes())[..8] => {
                serde_json::from_slice(&rest[8..]).map(Some).map_err(|_| wrong())
            }
            _ => Err(wrong()),
        }
    }

    /// Reads size and token of a list request.
    pub fn page<K: DeserializeOwned>(page_size: i32, token: &str, filter: &str, default: i64, max: i64) -> Result<PageRequest<K>, InvalidInput> {
        let mut parser = Parser::new();
        let size = parser.page_size(page_size, default, max);
        parser.finish()?;
        Ok(PageRequest { size, after: Self::decode(token, filter)? })
    }

    /// Cuts `size + 1` rows that were read to `size`, and answers the token of the next page where there is one.
    pub fn cut<T, K: Serialize>(rows: &mut Vec<T>, size: i64, filter: &str, key: impl Fn(&T) -> K) -> String {
        let size = usize::try_from(size).unwrap_or(0);
        if rows.len() <= size {
            return String::new();
        }
        rows.truncate(size);
        rows.last().map(|last| Self::encode(&key(last), filter)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_it_went_and_only_for_its_own_filter() {
        let token = PageToken::encode(&("ä", 7), "school=1");
        assert_eq!(PageToken::decode::<(String, i32)>(&token, "school=1").unwrap(), Some(("ä".to_owned(), 7)));
        assert!(PageToken::decode::<(String, i32)>(&token, "school=2").is_err());
        assert!(PageToken::decode::<(String, i32)>("rubbish", "school=1").is_err());
        assert_eq!(PageToken::decode::<(String, i32)>("", "school=1").unwrap(), None);
    }

    #[test]
    fn cutting_answers_a_token_only_where_more_follows() {
        let mut rows = vec![1, 2, 3];
        assert_ne!(PageToken::cut(&mut rows, 2, "", |r| *r), "");
        assert_eq!(rows, [1, 2]);
        assert_eq!(PageToken::cut(&mut rows, 2, "", |r| *r), "");
    }
}
