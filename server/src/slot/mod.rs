//! A slot: which packets of which stream leave on one m-line. Pure: no clock, no task, no socket.
