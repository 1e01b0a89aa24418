// Warnings of `validate` about the API descriptions of routes.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { it } from 'node:test'
import { countersign } from '../../cli/run.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

const CONFIGURATION = `
version: 1
listen: { authz: unix:authz.sock }
authenticators:
  staff: { anonymous: { user: guest } }
routes:
  - name: app
    authenticate: [staff]
    openapi: { file: api.yaml }
    authorize: [{ allow: all }]
`

const API = `
openapi: 3.0.4
info: { title: A }
paths:
  /a/{x}: { get: { responses: {} } }
  /a/{y}: { get: { responses: {} } }
`

it('validate warns about a published description, which --strict makes a failure', async () => {
  await using folder = await temporaryFolder()
  const file = folder.file('countersign.yaml')
  await writeFile(folder.file('api.yaml'), API)
  await writeFile(file, CONFIGURATION)
  const lenient = await countersign(['validate', '--config', file])
  assert.equal(lenient.status, 0, lenient.stderr)
  assert.match(lenient.stderr, /warning: .*api\.yaml: #\/paths\/~1a~1\{x\}: no path distinguishes /)
  assert.match(lenient.stderr, /warning: .*api\.yaml: #\/info: .*'version'/)
  const strict = await countersign(['validate', '--config', file, '--strict'])
  assert.equal(strict.status, 1)
})
