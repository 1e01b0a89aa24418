// Too many headers: for the upstream, or for Envoy on the way to it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isTooLarge } from '../../src/transform/outgoing-bytes.ts'
import type { Forwarding } from '../../src/transform/transformer.ts'
import { requestOf, type HeaderLines } from '../fakes/envoy.ts'

interface Case {
  readonly name: string
  readonly headers?: HeaderLines
  readonly outgoing?: Partial<Forwarding> & { readonly removeHeaders?: readonly string[] }
  readonly most?: number
  readonly want: boolean
}

const DEFAULT = 61_440

const lines = (count: number): HeaderLines =>
  Array.from({ length: count }, (_, index) => [`x-own-${index}`, '1'] as const)

const sets = (count: number): Forwarding['setHeaders'] =>
  Array.from({ length: count }, (_, index) => [`x-set-${index}`, '1'] as const)

const checkAll = (cases: readonly Case[]): void => {
  for (const { name, headers = [], outgoing = {}, most = DEFAULT, want } of cases) {
    it(name, () => {
      const whole = { setHeaders: [], repeatedHeaders: [], removeHeaders: [], ...outgoing }
      assert.equal(isTooLarge(requestOf({ headers }), whole, most), want)
    })
  }
}

const FAT = { name: 'x-group', values: Array.from({ length: 40 }, () => 'g'.repeat(1_000)) }

describe('headers for an upstream', () => {
  checkAll([
    { name: 'are within the limits when there are none', want: false },
    { name: 'fit with 60,000 bytes', headers: [['cookie', 'c'.repeat(60_000)]], want: false },
    {
      name: 'fit with what is set',
      headers: [['cookie', 'c'.repeat(40_000)]],
      outgoing: { setHeaders: [['x-a', 'a'.repeat(20_000)]] },
      want: false,
    },
    {
      name: 'do not fit with what is set',
      headers: [['cookie', 'c'.repeat(40_000)]],
      outgoing: { setHeaders: [['x-a', 'a'.repeat(21_500)]] },
      want: true,
    },
    {
      name: 'do not fit with a line for each group',
      headers: [['cookie', 'c'.repeat(40_000)]],
      outgoing: { repeatedHeaders: [FAT] },
      want: true,
    },
    {
      name: 'do not fit in UTF-8, though they do in characters',
      outgoing: { setHeaders: [['x-a', 'ü'.repeat(31_000)]] },
      want: true,
    },
    {
      name: 'count without those that are removed',
      headers: [['authorization', 'a'.repeat(10_000)]],
      outgoing: { removeHeaders: ['authorization'] },
      most: 4_096,
      want: false,
    },
    {
      name: 'count without those that are replaced',
      headers: [['x-a', 'a'.repeat(10_000)]],
      outgoing: { setHeaders: [['x-a', 'b']] },
      most: 4_096,
      want: false,
    },
    {
      name: 'count, what Envoy adds among them',
      headers: [['cookie', 'c'.repeat(3_600)]],
      most: 4_096,
      want: true,
    },
  ])
})

describe('headers that Envoy holds', () => {
  checkAll([
    {
      name: 'are too large before the caller’s credential is removed',
      headers: [
        ['authorization', 'a'.repeat(30_000)],
        ['cookie', 'c'.repeat(20_000)],
      ],
      outgoing: { setHeaders: [['x-a', 'a'.repeat(12_000)]], removeHeaders: ['authorization'] },
      want: true,
    },
    {
      name: 'are too large, however little the upstream gets',
      headers: [['authorization', 'a'.repeat(50_000)]],
      outgoing: { setHeaders: [['x-a', 'a'.repeat(12_000)]], removeHeaders: ['authorization'] },
      most: 16_384,
      want: true,
    },
    {
      name: 'may be more where the upstream takes more',
      headers: [['cookie', 'c'.repeat(60_000)]],
      outgoing: { setHeaders: [['x-a', 'a'.repeat(12_000)]] },
      most: 131_072,
      want: false,
    },
    {
      name: 'do not hold those that are repeated, yet',
      headers: [['authorization', 'a'.repeat(30_000)]],
      outgoing: { repeatedHeaders: [FAT], removeHeaders: ['authorization'] },
      want: false,
    },
    { name: 'are as many as may be', headers: lines(99), want: false },
    {
      name: 'are as many as may be with what is set',
      headers: lines(89),
      outgoing: { setHeaders: sets(10) },
      want: false,
    },
    {
      name: 'are too many with what is set',
      headers: lines(90),
      outgoing: { setHeaders: sets(10) },
      want: true,
    },
    { name: 'are too many by themselves', headers: lines(100), want: true },
    { name: 'are more than Envoy lets through with such limits', headers: lines(500), want: false },
    {
      name: 'are as many where one takes the place of another',
      headers: [...lines(98), ['x-set-0', 'forged']],
      outgoing: { setHeaders: sets(1) },
      want: false,
    },
  ])
})
