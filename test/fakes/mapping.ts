// A mapping as a configuration has it: the text of an `identity` section, compiled.

import assert from 'node:assert/strict'
import { parse } from 'yaml'
import { compileIdentity, identitySchema, type IdentityConfig } from '../../src/identity/schema.ts'
import type { Subject } from '../../src/expression/environments.ts'

/** The section, which has to be right. */
export const identityConfigOf = (yaml: string, about: Subject = 'claims'): IdentityConfig =>
  compileIdentity(identitySchema.parse(parse(yaml) ?? {}), about, (path, message) =>
    assert.fail(`${path.join('.')}: ${message}`),
  )
