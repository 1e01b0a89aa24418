// Directory names under name constraints, and kinds of names that are not implemented.

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
    name: 'below the permitted one',
    permitted: [directory(nameOf(['O', 'Example']))],
    subject: nameOf(['O', 'EXAMPLE'], ['CN', 'alice']),
    valid: true,
  },
  {
    name: 'outside the permitted one',
    permitted: [directory(nameOf(['O', 'Example']))],
    subject: nameOf(['O', 'Other'], ['CN', 'alice']),
    valid: false,
  },
  {
    name: 'with the permitted name at the wrong end (hostile)',
    permitted: [directory(nameOf(['O', 'Example']))],
    subject: nameOf(['CN', 'alice'], ['O', 'Example']),
    valid: false,
  },
  {
    name: 'an excluded one in another case (hostile)',
    excluded: [directory(nameOf(['O', 'Example']))],
    subject: nameOf(['O', 'eXAMPLE '], ['CN', 'alice']),
    valid: false,
  },
  {
    name: 'an alternative name outside the permitted one (hostile)',
    permitted: [directory(nameOf(['O', 'Example']))],
    subject: nameOf(['O', 'Example'], ['CN', 'alice']),
    names: [directory(nameOf(['O', 'Other']))],
    valid: false,
  },
]

/** Kinds that are not understood. */
export const OTHERS: readonly ConstraintCase[] = [
  {
    name: 'a kind that is not implemented, permitted',
    permitted: [UPN_CONSTRAINT],
    names: [UPN],
    valid: false,
  },
  {
    name: 'a kind that is not implemented, excluded',
    excluded: [UPN_CONSTRAINT],
    names: [UPN],
    valid: false,
  },
  {
    name: 'a kind that is not implemented, constrained but absent',
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
