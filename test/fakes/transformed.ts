// The result of a transformer for an identity.

import assert from 'node:assert/strict'
import type { Identity } from '../../src/identity/identity.ts'
import type { Forwarding, Transformation, Transformer } from '../../src/transform/transformer.ts'
import { permitFor } from './permit.ts'

const FOREVER = new AbortController().signal

/** For alice, or the user that the test names. */
const transformationOf = async (
  transformer: Transformer,
  identity: Partial<Identity> = {},
): Promise<Transformation> => await transformer.transform(permitFor(identity), FOREVER)

/** The same, which has to succeed. */
export const forwardingOf = async (
  transformer: Transformer,
  identity: Partial<Identity> = {},
): Promise<Forwarding> => {
  const transformation = await transformationOf(transformer, identity)
  assert.equal(transformation.outcome, 'transformed', JSON.stringify(transformation))
  return transformation.forwarding
}

/** Its outcome, or why it failed, and what is said of it: `header-reserved: set.x: …`. */
export const outcomeOf = async (
  transformer: Transformer,
  identity: Partial<Identity> = {},
): Promise<string> => {
  const transformation = await transformationOf(transformer, identity)
  if (transformation.outcome !== 'failed') return transformation.outcome
  const { code, detail } = transformation
  return detail === undefined ? code : `${code}: ${detail}`
}

/** What went out, if it did; a failure has to be that the text cannot be written. */
export const writtenOf = async (
  transformer: Transformer,
  identity: Partial<Identity>,
): Promise<Forwarding | undefined> => {
  const transformation = await transformationOf(transformer, identity)
  if (transformation.outcome === 'transformed') return transformation.forwarding
  assert.equal(transformation.outcome, 'failed')
  assert.match(transformation.code, /^(header-unrepresentable|headers-too-large)$/)
  return undefined
}
