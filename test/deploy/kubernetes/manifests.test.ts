import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { manifests, MANIFESTS } from '../../../scripts/kubernetes-manifests.ts'
import { skipWithoutHelm } from './rendered.ts'

describe('the manifests for installations without Helm', { skip: skipWithoutHelm() }, () => {
  it('are the rendered chart', async () => {
    const committed = await readFile(MANIFESTS, 'utf8')
    assert.equal(committed, await manifests(), 'run "node scripts/kubernetes-manifests.ts"')
  })

  it('have no labels of Helm', async () => {
    assert.doesNotMatch(await readFile(MANIFESTS, 'utf8'), /helm/i)
  })
})
