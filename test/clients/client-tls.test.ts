// The TLS files of an outgoing connection: what cannot be used is a problem at the key that names the file.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { clientTls, isUsableTls } from '../../src/clients/client-tls.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { ProblemList } from '../../src/config/problem-list.ts'
import { resolveReferences } from '../../src/config/references.ts'
import type { SecretReference } from '../../src/config/values.ts'
import { createPki, type KeyPair, type Pki } from '../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'

const fileAt = (path: string): SecretReference => ({ kind: 'file', path })

describe('the TLS files of a client', () => {
  let pki: Pki
  let folder: TemporaryFolder
  let withoutSubject: KeyPair
  before(async () => {
    pki = await createPki()
    const names = ['envoy.example.org']
    withoutSubject = await pki.issue({ commonName: '', names, usage: 'client' })
    folder = await temporaryFolder()
    await writeFile(folder.file('text'), 'text')
  })
  after(async () => {
    await folder[Symbol.asyncDispose]()
    await pki[Symbol.asyncDispose]()
  })

  const CASES = [
    {
      name: 'a CA, a certificate and its key are accepted',
      files: () => ({ ca: pki.ca, certificate: pki.alice.certificate, key: pki.alice.key }),
    },
    {
      name: 'a certificate with an empty subject is accepted',
      files: () => ({ ca: pki.ca, ...withoutSubject }),
    },
    {
      name: 'a file of CAs without a certificate is refused',
      files: () => ({ ca: folder.file('text'), ...pki.alice }),
      want: /^c\.yaml: ldap\.ca: .*\/text holds no certificate in PEM$/,
    },
    {
      name: 'a file of the client certificate without a certificate is refused',
      files: () => ({ ca: pki.ca, certificate: folder.file('text'), key: pki.alice.key }),
      want: /^c\.yaml: ldap\.client\.certificate: .*\/text holds no certificate in PEM$/,
    },
    {
      name: 'the key of another certificate is refused',
      files: () => ({ ca: pki.ca, certificate: pki.alice.certificate, key: pki.edge.key }),
      want: /^c\.yaml: ldap\.client\.key: .* does not hold the key of .*$/,
    },
    {
      name: 'a file of the key without a key is refused',
      files: () => ({ ca: pki.ca, certificate: pki.alice.certificate, key: folder.file('text') }),
      want: /^c\.yaml: ldap\.client\.key: .*\/text does not hold the key of .*$/,
    },
  ]
  for (const { name, files: pathsOf, want } of CASES) {
    it(name, async () => {
      const { ca, certificate, key } = pathsOf()
      const files = new ConfigurationFiles()
      const problems = new ProblemList((path, message) => ({
        file: 'c.yaml',
        path: path.join('.'),
        message,
      }))
      const references = {
        ca: fileAt(ca),
        client: { certificate: fileAt(certificate), key: fileAt(key) },
      }
      const resolution = await resolveReferences(references, ['ldap'], { files, problems })
      assert.ok(resolution)
      const usable = isUsableTls(references, resolution.settings, ['ldap'], problems)
      const reading = clientTls({ ca, client: { certificate, key: fileAt(key) } }, files)
      if (want === undefined) {
        assert.deepEqual([usable, problems.error], [true, undefined])
        assert.ok((await reading).client)
        return
      }
      assert.equal(usable, false)
      const [problem, ...more] = problems.error?.problems ?? []
      assert.ok(problem)
      assert.equal(more.length, 0)
      assert.match(formatProblem(problem), want)
      await assert.rejects(reading, { code: 'configuration-invalid', message: problem.message })
    })
  }
})
