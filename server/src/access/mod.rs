//! Who may see what: a [`Grant`] is what the bearer of a token may do, and [`Tokens`] knows the tokens.

mod grant;
mod signed;
mod tokens;

pub use grant::Grant;
pub use signed::{Claims, sign};
pub use tokens::{AccessError, TokenError, Tokens};
