// The young generation of V8's heap while a service starts.
//
// What a start allocates stays: code, schemas, the configuration. V8 takes that for a high rate of allocation, and doubles
// the young generation up to 16 MiB, which the process keeps. Without that growth a start takes less CPU, since
// the scavenger copies less, and an idle service 10 MB less. Requests then grow it as they need.

import { setFlagsFromString } from 'node:v8'

// V8 reads the flag each time when the young generation has survivors (`src/heap/new-spaces.cc`); 2 is its default.
const FLAG = '--semi-space-growth-factor'

/** Keeps the young generation at its size. */
export const keepYoungGeneration = (): void => setFlagsFromString(`${FLAG}=1`)

/** Lets it grow with what survives: how V8 starts. */
export const growYoungGeneration = (): void => setFlagsFromString(`${FLAG}=2`)
