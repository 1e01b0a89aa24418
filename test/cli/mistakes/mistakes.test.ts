// Mistakes that operators make, and what `countersign validate` says about each: at most five lines, with the place,
// what is wrong and what would be right.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { CERTIFICATE_MISTAKES } from './certificates.ts'
import { FILE_MISTAKES } from './files.ts'
import { RULE_MISTAKES } from './rules.ts'
import { makeSite, type Mistake, type Site } from './site.ts'
import { VALUE_MISTAKES } from './values.ts'
import { YAML_MISTAKES } from './yaml.ts'

const MOST_LINES = 5

const TABLES: Readonly<Record<string, readonly Mistake[]>> = {
  'a slip of YAML': YAML_MISTAKES,
  'a wrong value': VALUE_MISTAKES,
  'a wrong file': FILE_MISTAKES,
  'a certificate or key': CERTIFICATE_MISTAKES,
  'a rule, route or authenticator': RULE_MISTAKES,
}

describe('countersign validate says what is wrong:', () => {
  let site: Site
  before(async () => {
    site = await makeSite()
  })
  after(() => site[Symbol.asyncDispose]())

  for (const [table, mistakes] of Object.entries(TABLES)) {
    describe(table, () => {
      for (const mistake of mistakes) {
        it(mistake.name, async () => {
          const { status, lines } = await site.judge(mistake)
          assert.deepEqual(lines, mistake.want)
          assert.ok(lines.length <= MOST_LINES, `${lines.length} lines`)
          assert.equal(status, mistake.valid === true ? 0 : 1)
        })
      }
    })
  }
})
