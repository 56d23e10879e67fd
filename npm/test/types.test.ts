// Tests that the public typings are those of the protocol, in camelCase.
import { expectTypeOf, test } from 'vitest';
import type { ErrorCode, SlotStatus } from '../src/api.js';
import type { ServerErrorCode, SlotStatus as WireStatus } from '../src/generated/protocol.js';

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;
type CamelKeys<T> = { [K in keyof T as Camel<K & string>]: T[K] };

test('a slot status has the fields of the protocol, the camera, and whether it is live', () => {
  expectTypeOf<Omit<SlotStatus, 'camera' | 'live'>>().toEqualTypeOf<CamelKeys<WireStatus>>();
});

test('the codes of the server are codes of the client', () => {
  expectTypeOf<ServerErrorCode>().toExtend<ErrorCode>();
});
