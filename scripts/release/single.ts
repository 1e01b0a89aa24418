// The program of a single executable: like `src/countersign.ts`, as CommonJS, which such a program has to be (Node 24, single
// executable applications). It keeps no compiled code.

import { main } from '../../src/cli/main.ts'

void main({ process, console })
