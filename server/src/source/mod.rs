//! Sources: what pulls pictures from a camera or a program, once, until it fails. Retrying is the hub's.
