// How V8 runs a service until it is ready: what is made then stays, and most code runs once.

import { allowOptimization, deferOptimization } from './optimization.ts'
import { growYoungGeneration, keepYoungGeneration } from './young-generation.ts'

/** Begins the start of a service. */
export const beginStart = (): void => {
  keepYoungGeneration()
  deferOptimization()
}

/** Ends it: requests come. */
export const endStart = (): void => {
  growYoungGeneration()
  allowOptimization()
}
