// `countersign ca`: certificate authorities, certificates and certificate requests for a deployment.

import { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { createCommand } from './create.ts'
import { csrCommand } from './csr.ts'
import { clientCommand, serverCommand } from './leaf.ts'
import { showCommand } from './show.ts'
import { signCommand } from './sign.ts'

const FIRST = `
A first deployment:
  countersign ca create --out root --name 'Example root CA'
  countersign ca create --out signer-ca --issuer root --name 'Example signer CA' --only client
  countersign ca server --ca root --dns '*.example.org' --out tls --as edge
  countersign ca client --ca root --user front-proxy --out tls --as front-proxy

Every certificate is read back and verified before it is written: by Countersign, by OpenSSL and by
@peculiar/x509. Files are never replaced without --force.`

/** The command. */
export const caCommand = (context: CommandContext): Command =>
  new Command('ca')
    .description('make certificate authorities, and certificates of servers and clients')
    .addCommand(createCommand(context))
    .addCommand(serverCommand(context))
    .addCommand(clientCommand(context))
    .addCommand(csrCommand(context))
    .addCommand(signCommand(context))
    .addCommand(showCommand(context))
    .addHelpText('after', FIRST)
