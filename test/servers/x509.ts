// @peculiar/x509 for the certificates that tests make and read, independent of OpenSSL and `x509/`.

export { x509 } from '../../src/cli/ca/x509.ts'
