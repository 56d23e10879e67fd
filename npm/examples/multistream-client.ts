// The module that replaces a dashboard's local `./multistream-client`.
export * from 'multistream-client';
