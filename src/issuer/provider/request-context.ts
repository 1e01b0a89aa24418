// The contexts of requests, as Koa makes them for `oidc-provider`.

import type { Provider } from 'oidc-provider'

/**
 * Has a provider keep `ctx.oidc` as a value. `oidc-provider` 9.13 defines a getter in each context, and V8 keeps
 * what a getter closes over, here the whole request, until it collects all of its heap: a process that answered
 * requests as fast as it could grew by 230 MB of such garbage.
 */
export const keepContextsAsValues = (provider: Provider): void => {
  const create = provider.createContext.bind(provider)
  Object.assign(provider, {
    createContext: (...parts: Parameters<typeof create>): object =>
      new Proxy<object>(create(...parts), AS_VALUES),
  })
}

const AS_VALUES: ProxyHandler<object> = {
  defineProperty(context, name, descriptor) {
    if (descriptor.get === undefined) return Reflect.defineProperty(context, name, descriptor)
    const value: unknown = descriptor.get()
    return Reflect.defineProperty(context, name, { configurable: true, value })
  },
}
