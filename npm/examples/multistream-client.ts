// What a dashboard with a local `./multistream-client` puts in its place.
export * from 'multistream-client';
