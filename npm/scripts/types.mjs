// Writes src/generated/protocol.ts from the Rust types of protocol/. A test of that crate fails when the two drift.
import { spawnSync } from 'node:child_process';

const args = [
  'test',
  '--quiet',
  '-p',
  'multistream-protocol',
  '--features',
  'typescript',
  '--test',
  'typescript',
];
const env = { ...process.env, UPDATE_TYPINGS: '1' };
process.exit(spawnSync('cargo', args, { stdio: 'inherit', env }).status ?? 1);
