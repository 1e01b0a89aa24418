// Libraries that go by the names of their classes. esbuild drops the name of a class expression that nothing refers to, and gives a class
// another name where two in one file of the bundle have the same. Then all records of oidc-provider would be of one kind: it takes
// the kind of a record, by which tokens are kept apart, from the name of a class.
//
// Not for every file: with `keepNames` each function that is made is named by a call, also those of a check.

import { readFile } from 'node:fs/promises'
import { transform, type Plugin } from 'esbuild'

// Those that compare `constructor.name`, and asn1js, whose classes are compared.
const PACKAGES =
  /\/node_modules\/(?:oidc-provider|protobufjs|asn1js|@peculiar\/asn1-schema)\/.*\.js$/

/** Has classes and functions of these libraries keep their names. */
export const keptNames: Plugin = {
  name: 'kept-names',
  setup(build) {
    build.onLoad({ filter: PACKAGES }, async ({ path }) => {
      const { target = 'esnext' } = build.initialOptions
      const source = await readFile(path, 'utf8')
      const { code } = await transform(source, { target, keepNames: true, sourcefile: path })
      return { contents: code }
    })
  },
}
