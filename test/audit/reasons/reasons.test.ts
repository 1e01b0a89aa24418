// The table of reason codes: each code of the audit log has a cause and a remedy, and no other code has.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  DECISION_REASON_GROUPS,
  DECISION_REASONS,
  explainReason,
  ISSUANCE_REASONS,
  LOGIN_REASONS,
  reasonCodes,
} from '../../../src/audit/reasons/reasons.ts'
import { PUBLIC_ANSWERS } from '../../../src/check/answer/public-answers.ts'
import { codeSpansOf, textOf } from '../../docs/markdown.ts'

const ALL = [DECISION_REASONS, LOGIN_REASONS, ISSUANCE_REASONS].flatMap((table) =>
  Object.entries(table),
)

describe('the table of reason codes', () => {
  it('has the reason of every refusal, permitted, and no other code for decisions', () => {
    assert.deepEqual(
      Object.keys(DECISION_REASONS).toSorted(),
      [...Object.keys(PUBLIC_ANSWERS), 'permitted'].toSorted(),
    )
  })

  it('has each code of a decision in exactly one group', () => {
    const grouped = DECISION_REASON_GROUPS.flatMap(({ reasons }) => Object.keys(reasons))
    assert.deepEqual(grouped.toSorted(), Object.keys(DECISION_REASONS).toSorted())
  })

  for (const [code, { cause, remedy }] of ALL) {
    it(`has whole sentences as cause and remedy of ${code}`, () => {
      for (const text of [cause, remedy]) assert.match(text, /^[^\s].*[.]$/)
    })
  }

  it('names only keys that a schema has', () => {
    const schemas = textOf('schema/countersign.schema.json') + textOf('schema/signer.schema.json')
    const keys = ALL.flatMap(([, { cause, remedy }]) => codeSpansOf(`${cause} ${remedy}`))
      .map((code) => code.split(':')[0] ?? '')
      .filter((code) => /^[a-z][A-Za-z]*(\[\])?(\.[a-z][A-Za-z]*(\[\])?)+$/.test(code))
      .filter((code) => !/^(grpc_service|signer)\.|^claims\./.test(code))
    const missing = keys.filter((key) =>
      key.split('.').some((part) => !schemas.includes(`"${part.replace('[]', '')}"`)),
    )
    assert.deepEqual(missing, [])
    assert.ok(keys.length > 30)
  })
})

describe('the explanation of a reason code', () => {
  it('has two parts for a code that authz and the signer use', () => {
    const places = explainReason('rate-limited').map(({ of: place }) => place)
    assert.deepEqual(places, ['decision', 'issuance'])
  })

  it('has one part for a code of a login that is also one of decisions', () => {
    const places = explainReason('credential-wrong').map(({ of: place }) => place)
    assert.deepEqual(places, ['decision'])
  })

  it('is empty for an unknown code and for properties of every object', () => {
    for (const code of ['no-such-code', '', 'toString', '__proto__', 'constructor']) {
      assert.deepEqual(explainReason(code), [])
    }
  })

  it('exists for every listed code', () => {
    assert.ok(reasonCodes().every((code) => explainReason(code).length > 0))
    assert.ok(reasonCodes().length > 100)
  })
})
