#!/usr/bin/env node
// The command; its parts are in cli/.

import { cacheCompiledCode } from './runtime/compile-cache.ts'

// Before anything else is loaded, so that all of it is cached.
cacheCompiledCode()
const { main } = await import('./cli/main.ts')
await main({ process, console })
