// How the bundle gets the modules of Node. An import makes Node read every export of a built-in module, and some are
// getters that load more: the WebSocket client (`node:http`), Web Crypto (`node:crypto`), the root certificates (`node:tls`).
// `process.getBuiltinModule` reads none. A getter is read where its name is imported.

import { builtinModules } from 'node:module'
import type { OnLoadResult, OnResolveResult, Plugin } from 'esbuild'

/** Modules with an export for each of a built-in module, for `import` statements. */
const STATIC = 'node-builtin'

/** Modules of one getter each, which the bundle has where something imports its name. */
const GETTER = 'node-builtin-getter'

/** Modules with the exports that are not getters, for `import()`: of CommonJS it would have the default alone. */
const DYNAMIC = 'node-builtin-dynamic'

const NAMES: ReadonlySet<string> = new Set(builtinModules)

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

/** Replaces imports of Node's modules. */
export const nodeBuiltins: Plugin = {
  name: STATIC,
  setup(build) {
    build.onResolve({ filter: /^(node:)?[\w/]+$/ }, ({ path, kind }) => resolved(path, kind))
    build.onResolve({ filter: /./, namespace: STATIC }, ({ path }) => ({
      path,
      namespace: GETTER,
      sideEffects: false,
    }))
    build.onLoad({ filter: /./, namespace: STATIC }, ({ path }) => loaded(staticSource(path)))
    build.onLoad({ filter: /./, namespace: GETTER }, ({ path }) => {
      const [module = '', name = ''] = path.split('#')
      return loaded(`export const value = ${builtin(module)}.${name}`)
    })
    build.onLoad({ filter: /./, namespace: DYNAMIC }, ({ path }) => loaded(dynamicSource(path)))
  },
}

const resolved = (path: string, kind: string): OnResolveResult | undefined => {
  const name = path.replace(/^node:/, '')
  if (path === name && !NAMES.has(name)) return undefined
  const module = { path: `node:${name}`, sideEffects: false }
  if (kind === 'import-statement') return { ...module, namespace: STATIC }
  // `require` reads no export.
  return kind === 'dynamic-import' ? { ...module, namespace: DYNAMIC } : undefined
}

const loaded = (contents: string): OnLoadResult => ({ contents, loader: 'js' })

const builtin = (module: string): string => `process.getBuiltinModule(${JSON.stringify(module)})`

const exportsOf = (module: string): readonly (readonly [string, PropertyDescriptor])[] => {
  const exported = process.getBuiltinModule(module)
  if (exported === undefined) throw new Error(`${module} is not a module of Node`)
  return Object.entries(Object.getOwnPropertyDescriptors(exported)).filter(
    ([name]) => IDENTIFIER.test(name) && name !== 'default',
  )
}

const exported = (name: string, index: number): string =>
  `const value${index} = builtin.${name}; export { value${index} as ${name} }`

const beginningOf = (module: string): readonly string[] => [
  `const builtin = ${builtin(module)}`,
  'export default builtin',
]

const staticSource = (module: string): string =>
  [
    ...beginningOf(module),
    ...exportsOf(module).map(([name, descriptor], index) =>
      descriptor.get === undefined
        ? exported(name, index)
        : `export { value as ${name} } from ${JSON.stringify(`${module}#${name}`)}`,
    ),
  ].join('\n')

const dynamicSource = (module: string): string =>
  [
    ...beginningOf(module),
    ...exportsOf(module).flatMap(([name, descriptor], index) =>
      descriptor.get === undefined ? [exported(name, index)] : [],
    ),
  ].join('\n')
