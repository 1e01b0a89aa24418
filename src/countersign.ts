#!/usr/bin/env node
// The command; its parts are in cli/.

import { main } from './cli/main.ts'

await main({ process, console })
