// A mapping as a configuration has it: the text of an `identity` section, compiled.

import assert from 'node:assert/strict'
import { parse } from 'yaml'
import { compileIdentity, identitySchema, type IdentityConfig } from '../../src/identity/schema.ts'
import type { Subject } from '../../src/expression/environments.ts'
import type { Claims } from '../../src/identity/claims.ts'
import { IdentityMapping, type MappingResult } from '../../src/identity/mapping.ts'
import { credentialOf } from './authenticator.ts'

/** The section, which has to be right. */
export const identityConfigOf = (yaml: string, about: Subject = 'claims'): IdentityConfig =>
  compileIdentity(identitySchema.parse(parse(yaml) ?? {}), about, (path, message) =>
    assert.fail(`${path.join('.')}: ${message}`),
  )

/** The identity of a bearer token with these claims, by a section `identity`. */
export const mapped = (section: string, claims: Claims): MappingResult =>
  new IdentityMapping('tokens', {
    allowReserved: [],
    identity: identityConfigOf(section),
  }).identityOf(credentialOf({ method: 'bearer', user: 'https://issuer#sub', claims }))
