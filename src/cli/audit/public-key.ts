// `countersign audit public-key`: the key by which signed checkpoints are verified.

import { createPublicKey } from 'node:crypto'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { readCheckpointKey } from '../../audit/checkpoint.ts'
import type { CommandContext } from '../context.ts'

/** The command. */
export const publicKeyCommand = ({ process }: CommandContext): Command =>
  new Command('public-key')
    .description(
      'print the public key of audit.checkpoints.key, for those who verify the log: PEM, after its id',
    )
    .argument('<file>', 'the private key, in PEM')
    .action(async (file: string) => {
      const { id, key } = await readCheckpointKey({ kind: 'file', path: resolve(file) })
      const pem = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
      process.stdout.write(`key id ${id}\n${pem}`)
    })
