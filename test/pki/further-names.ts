// Directory names under name constraints, and kinds that nobody understands.

import { context, element } from '../../src/x509/der.ts'
import { generalName, nameOf } from './making.ts'
import type { ConstraintCase } from './names.ts'

const { dns, directory, registeredId } = generalName
const UPN_CONSTRAINT = element(
  context(0, 'constructed'),
  Buffer.from('060a2b060104018237140203a0040c022e78', 'hex'),
)
const UPN = element(
  context(0, 'constructed'),
  Buffer.from('060a2b060104018237140203a0050c03614078', 'hex'),
)

/** Directory names. */
export const DIRECTORY: readonly ConstraintCase[] = [
  {
    name: 'below',
    permitted: [directory(nameOf(['O', 'Example']))],
    subject: nameOf(['O', 'EXAMPLE'], ['CN', 'alice']),
    valid: true,
  },
  {
    name: 'elsewhere',
    permitted: [directory(nameOf(['O', 'Example']))],
    subject: nameOf(['O', 'Other'], ['CN', 'alice']),
    valid: false,
  },
  {
    name: 'below at the wrong end (hostile)',
    permitted: [directory(nameOf(['O', 'Example']))],
    subject: nameOf(['CN', 'alice'], ['O', 'Example']),
    valid: false,
  },
  {
    name: 'an excluded one, in other letters (hostile)',
    excluded: [directory(nameOf(['O', 'Example']))],
    subject: nameOf(['O', 'eXAMPLE '], ['CN', 'alice']),
    valid: false,
  },
  {
    name: 'an alternative name elsewhere (hostile)',
    permitted: [directory(nameOf(['O', 'Example']))],
    subject: nameOf(['O', 'Example'], ['CN', 'alice']),
    names: [directory(nameOf(['O', 'Other']))],
    valid: false,
  },
]

/** Kinds that are not understood. */
export const OTHERS: readonly ConstraintCase[] = [
  {
    name: 'a kind that is not understood',
    permitted: [UPN_CONSTRAINT],
    names: [UPN],
    valid: false,
  },
  { name: 'such a kind that is excluded', excluded: [UPN_CONSTRAINT], names: [UPN], valid: false },
  {
    name: 'such a kind that is not there',
    permitted: [UPN_CONSTRAINT],
    names: [dns('a.example')],
    valid: true,
  },
  {
    name: 'a registered identifier',
    permitted: [registeredId('1.3.6.1')],
    names: [registeredId('1.3.6.1.4')],
    valid: false,
  },
]
