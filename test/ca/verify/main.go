// Command verify reads chains as JSON, one a line, and writes what crypto/x509 makes of each, which
// is what a Kubernetes API server makes of it.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"time"
)

type chain struct {
	// PEM.
	Leaf, Intermediates, Roots string
	// Seconds since the epoch.
	Now int64
}

type verdict struct {
	Error        string   `json:"error,omitempty"`
	CommonName   string   `json:"commonName"`
	Organization []string `json:"organization"`
	Subject      string   `json:"subject"`
	DNS          []string `json:"dns"`
	Emails       []string `json:"emails"`
	IPs          []string `json:"ips"`
	URIs         []string `json:"uris"`
	Serial       string   `json:"serial"`
	IsCA         bool     `json:"isCA"`
}

func main() {
	input := json.NewDecoder(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for {
		var next chain
		if err := input.Decode(&next); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			panic(err)
		}
		result, err := verify(next)
		if err != nil {
			result.Error = err.Error()
		}
		if err := output.Encode(result); err != nil {
			panic(err)
		}
	}
}

func verify(c chain) (verdict, error) {
	block, _ := pem.Decode([]byte(c.Leaf))
	if block == nil {
		return verdict{}, errors.New("no PEM")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return verdict{}, err
	}
	result := verdict{
		CommonName:   leaf.Subject.CommonName,
		Organization: leaf.Subject.Organization,
		Subject:      leaf.Subject.String(),
		DNS:          leaf.DNSNames,
		Emails:       leaf.EmailAddresses,
		Serial:       leaf.SerialNumber.Text(16),
		IsCA:         leaf.IsCA,
	}
	for _, ip := range leaf.IPAddresses {
		result.IPs = append(result.IPs, ip.String())
	}
	for _, uri := range leaf.URIs {
		result.URIs = append(result.URIs, uri.String())
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots:         pool(c.Roots),
		Intermediates: pool(c.Intermediates),
		CurrentTime:   time.Unix(c.Now, 0),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return result, err
}

func pool(pem string) *x509.CertPool {
	certificates := x509.NewCertPool()
	certificates.AppendCertsFromPEM([]byte(pem))
	return certificates
}
