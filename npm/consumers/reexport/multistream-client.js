export * from 'multistream-client';
