// Texts that are not YAML, or other YAML than they look like.

import { BASE, type Mistake } from './site.ts'

/** The table. */
export const YAML_MISTAKES: readonly Mistake[] = [
  {
    name: 'brackets in a flow mapping',
    edit: [['trust: ca.pem }', 'trust: ca.pem }, identity: { user: certificate.subject.CN[0] }']],
    want: [
      'countersign.yaml:5:83: "[" after a value: inside "{ … }" and "[ … ]", put a value that contains brackets or commas in quotes. Correct this first: what follows cannot be read',
      '1 problem found.',
    ],
  },
  {
    name: 'quotes and brackets in a flow mapping',
    edit: [['trust: ca.pem }', 'trust: ca.pem }, identity: { user: claims["sub"] }']],
    want: [
      'countersign.yaml:5:67: "[" after a value: inside "{ … }" and "[ … ]", put a value that contains brackets or commas in quotes. Correct this first: what follows cannot be read',
      '1 problem found.',
    ],
  },
  {
    name: 'a tab as indentation',
    edit: [['    authenticate:', '\tauthenticate:']],
    want: [
      'countersign.yaml:9:1: a tab indents this line: YAML is indented with spaces alone. Correct this first: what follows cannot be read',
      '1 problem found.',
    ],
  },
  {
    name: 'a line indented too far',
    edit: [['    authenticate:', '      authenticate:']],
    want: [
      'countersign.yaml:9:1: this line is not indented as its neighbours are',
      '1 problem found.',
    ],
  },
  {
    name: 'a line indented too little',
    edit: [['    forward:', '   forward:']],
    want: [
      'countersign.yaml:17:1: this line is not indented as its neighbours are',
      '1 problem found.',
    ],
  },
  {
    name: 'a bracket that is not closed',
    edit: [['[staff, cert]', '[staff, cert']],
    want: [
      'countersign.yaml:10:5: the brackets of an earlier line are not closed, or this line is not indented further than their key',
      '1 problem found.',
    ],
  },
  {
    name: 'a quote that is not closed',
    edit: [["'/secrets/**'", "'/secrets/**"]],
    want: [
      'countersign.yaml:12:17: the quote that opens here is not closed. Correct this first: what follows cannot be read',
      '1 problem found.',
    ],
  },
  {
    name: 'a missing comma',
    edit: [['{ headers: kubernetes }', '{ headers: kubernetes auditId: true }']],
    want: [
      'countersign.yaml:17:25: a comma is missing between two entries, or a bracket before them',
      '1 problem found.',
    ],
  },
  {
    name: 'a missing blank after a colon',
    edit: [['version: 1', 'version:1']],
    want: [
      'countersign.yaml:1:1: is not "key: value": a colon with a blank after it is missing, or the line is indented wrongly',
      '1 problem found.',
    ],
  },
  {
    name: 'a missing colon',
    edit: [['    authenticate: [', '    authenticate [']],
    want: [
      'countersign.yaml:9:5: is not "key: value": a colon with a blank after it is missing, or the line is indented wrongly',
      '1 problem found.',
    ],
  },
  {
    name: 'a value with a colon',
    edit: [['        groups: [ops]', '        when: identity.user == "a" ? "b: c" : "d"']],
    want: [
      'countersign.yaml:14:15: a second ": " in a value, or a line that is indented further than its neighbours: put a value that contains ": " in quotes. Correct this first: what follows cannot be read',
      '1 problem found.',
    ],
  },
  {
    name: 'an expression that begins with a quote',
    edit: [['        groups: [ops]', '        when: "ops" in identity.groups']],
    want: [
      'countersign.yaml:14:21: text after a closing quote: put the whole value in quotes of the other kind',
      '1 problem found.',
    ],
  },
  {
    name: 'a value that begins with "@"',
    edit: [['name: api', 'name: @api']],
    want: [
      'countersign.yaml:7:11: a value cannot begin with "@": put it in quotes',
      '1 problem found.',
    ],
  },
  {
    name: 'a host that begins with a star',
    edit: [['[api.example.org]', '[*.example.org]']],
    want: [
      'countersign.yaml:8:22: "*.example.org" is read as an alias of YAML, and there is no "&.example.org": put a value that begins with "*" in quotes',
      '1 problem found.',
    ],
  },
  {
    name: 'a value that begins with "!"',
    edit: [['        groups: [ops]', '        when: !has(claims.x)']],
    want: [
      'countersign.yaml:14:15: a value that begins with "!" is read as a tag of YAML: put it in quotes',
      '1 problem found.',
    ],
  },
  {
    name: 'a key that occurs twice',
    edit: [['    authenticate: [', '    name: web\n    authenticate: [']],
    want: [
      'countersign.yaml:9:5: "name" is also in line 7 of the same mapping',
      '1 problem found.',
    ],
  },
  {
    name: 'two documents',
    edit: `${BASE}---\n${BASE}`,
    want: [
      'countersign.yaml:18:1: a second document begins here ("---"): a file holds one',
      '1 problem found.',
    ],
  },
  {
    name: 'an empty file',
    edit: '',
    want: ['countersign.yaml: the file is empty', '1 problem found.'],
  },
  {
    name: 'a text',
    edit: 'hello',
    want: ['countersign.yaml:1:1: must be a mapping, not a text', '1 problem found.'],
  },
]
