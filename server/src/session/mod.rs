//! The multistream session: messages ↔ slots ↔ peer connection.
