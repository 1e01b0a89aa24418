// Modules of Node that some processes never need, each loaded by the first call. An `import` would load them in every process
// of which the module graph contains it: an idle authz takes 3 MB more with HTTP, HTTPS and zlib.

type Loader<T> = () => T

const once = <T>(load: Loader<T>): Loader<T> => {
  let loaded: T | undefined
  return () => (loaded ??= load())
}

/** `node:http`: servers of pages and metrics, and requests in the clear. */
export const nodeHttp = once(() => process.getBuiltinModule('node:http'))

/** `node:https`: requests over TLS, and the same servers over TLS. */
export const nodeHttps = once(() => process.getBuiltinModule('node:https'))

/** `node:sqlite`: state in a file, and locks. */
export const nodeSqlite = once(() => process.getBuiltinModule('node:sqlite'))

/** `node:zlib`: checksums of API keys, and rotated files. */
export const nodeZlib = once(() => process.getBuiltinModule('node:zlib'))
