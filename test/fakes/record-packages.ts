// For `node --import`: writes the name of each npm package that the process loads to the file that `LOADED_PACKAGES` names.

import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

const FILE = process.env['LOADED_PACKAGES'] ?? '/dev/null'
const PACKAGE = /^file:.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//

const known = new Set<string>()

registerHooks({
  load(url, context, next) {
    const name = PACKAGE.exec(url)?.[1]
    if (name !== undefined && !known.has(name)) {
      known.add(name)
      appendFileSync(FILE, `${name}\n`)
    }
    return next(url, context)
  },
})
