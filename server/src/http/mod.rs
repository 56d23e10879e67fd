//! HTTP: the WebSocket, the REST API and the pages.
