// docs/tutorials/certificate-per-identity.md, followed from top to bottom.

import { describe, it } from 'node:test'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import { skipWithoutKubectl } from '../../servers/kubectl.ts'
import { follow } from './tutorial.ts'

const PAGE = 'docs/tutorials/certificate-per-identity.md'

const skip = skipWithoutEnvoy() || skipWithoutApiServer() || skipWithoutKubectl()

describe('the tutorial "A certificate for every identity"', { skip }, () => {
  it('does what it says, with the outputs that it shows', async () => {
    await follow(PAGE, {
      ports: [6443, 8443],
      captures: { AUDIT_ID: /"auditID":"([0-9a-f-]{36})"/ },
    })
  })
})
