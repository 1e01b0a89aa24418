// For `node --import`: writes the name of each file that the process loads from the folder of its command to the file
// that `LOADED_FILES` names.

import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { basename, dirname } from 'node:path'
import { pathToFileURL } from 'node:url'

const FILE = process.env['LOADED_FILES'] ?? '/dev/null'
const folder = pathToFileURL(`${dirname(process.argv[1] ?? '')}/`).href

registerHooks({
  load(url, context, next) {
    if (url.startsWith(folder)) appendFileSync(FILE, `${basename(url)}\n`)
    return next(url, context)
  },
})
