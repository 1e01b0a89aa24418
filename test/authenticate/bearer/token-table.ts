// Tables of tokens, and what the authenticator decides about each.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { KeySet } from '../../../src/authenticate/bearer/key-set.ts'
import { bearerWith, outcomeOf } from './asking.ts'

/** A token, made when its test runs. */
export interface TokenCase {
  readonly name: string
  readonly token: () => string | Promise<string>
  /** `authenticated`, or the code of the rejection. */
  readonly want: string
}

/** A test for each token, with keys that exist when it runs. */
export const tokenTable = (keys: () => KeySet, cases: readonly TokenCase[]): void => {
  for (const { name, token, want } of cases) {
    it(`decides about a token: ${name}: ${want}`, async () => {
      assert.equal(await outcomeOf(bearerWith(keys()), await token()), want)
    })
  }
}
