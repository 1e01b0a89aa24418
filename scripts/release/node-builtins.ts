// How the bundle gets `node:http`. A static import makes Node read every export of a built-in module; one export of this
// one is a getter that loads Node's WebSocket client: 20 ms and 3 MB in each process. `process.getBuiltinModule` reads none.

import type { Plugin } from 'esbuild'

const NAMESPACE = 'lazy-builtin'

/** Replaces imports of `node:http` and `http`. */
export const lazyHttp: Plugin = {
  name: NAMESPACE,
  setup(build) {
    build.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      // `require` reads no export.
      kind === 'require-call' ? undefined : { path: 'node:http', namespace: NAMESPACE },
    )
    build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
      loader: 'js',
    }))
  },
}
