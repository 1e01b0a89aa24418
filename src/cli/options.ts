// Options that several commands share.

import { resolve } from 'node:path'
import { Option } from 'commander'

/** `--config FILE`, made absolute. */
export const configOption = (): Option =>
  new Option('-c, --config <file>', 'the configuration file')
    .env('COUNTERSIGN_CONFIG')
    .default(resolve('countersign.yaml'), 'countersign.yaml')
    .argParser((file) => resolve(file))
