// Lets an object be used through a proxy, as Vue's `reactive` and MobX make them: private fields are not reached through one.

/**
 * Gives `object` the methods and getters of `prototype` as its own, bound to it. A proxy passes those on as they are, so they
 * find the object. What a subclass overrides stays overridden.
 */
export function bindOwn(object: object, prototype: object): void {
  for (const key of Reflect.ownKeys(prototype)) {
    if (key === 'constructor' || ownerOf(object, key) !== prototype) continue;
    const { value, get } = Reflect.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
    const own = get ? { get: get.bind(object) } : { value: value.bind(object), writable: true };
    Object.defineProperty(object, key, { ...own, configurable: true });
  }
}

/** The prototype of `object` that `key` comes from. */
function ownerOf(object: object, key: PropertyKey): unknown {
  let owner = Reflect.getPrototypeOf(object);
  while (owner && !Object.hasOwn(owner, key)) owner = Reflect.getPrototypeOf(owner);
  return owner;
}
