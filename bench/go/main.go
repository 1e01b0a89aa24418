// Command floor is what the bench compares Countersign with: an ext_authz server on grpc-go that either
// answers every check the same without reading it (noop; -answer: with the CheckResponse in a file), or verifies an ES256 token by golang-jwt, refuses
// secrets, and names user and groups in headers (verify). It caches nothing and writes no audit log.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"net"
	"os"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	envoytype "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

func main() {
	mode := flag.String("mode", "noop", "noop or verify")
	listen := flag.String("listen", "127.0.0.1:0", "address")
	keys := flag.String("keys", "", "file with a key set (RFC 7517) of one EC key")
	issuer := flag.String("issuer", "", "iss of tokens")
	audience := flag.String("audience", "", "aud of tokens")
	user := flag.String("user", "", "whom noop names")
	answer := flag.String("answer", "", "file with the CheckResponse of noop, in place of one that names the user")
	flag.Parse()
	server := grpc.NewServer()
	switch *mode {
	case "noop":
		fixed := allow(*user, nil)
		if *answer != "" {
			var err error
			if fixed, err = readAnswer(*answer); err != nil {
				log.Fatal(err)
			}
		}
		auth.RegisterAuthorizationServer(server, noop{answer: fixed})
	case "verify":
		key, err := readKey(*keys)
		if err != nil {
			log.Fatal(err)
		}
		parser := jwt.NewParser(jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer(*issuer),
			jwt.WithAudience(*audience), jwt.WithExpirationRequired())
		auth.RegisterAuthorizationServer(server, verifier{parser: parser, key: key})
	default:
		log.Fatalf("no mode %q", *mode)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(server.Serve(listener))
}

type noop struct{ answer *auth.CheckResponse }

func (n noop) Check(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error) {
	return n.answer, nil
}

func readAnswer(file string) (*auth.CheckResponse, error) {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	answer := &auth.CheckResponse{}
	return answer, proto.Unmarshal(bytes, answer)
}

type verifier struct {
	parser *jwt.Parser
	key    *ecdsa.PublicKey
}

type claims struct {
	Groups []string `json:"groups"`
	jwt.RegisteredClaims
}

func (v verifier) Check(_ context.Context, request *auth.CheckRequest) (*auth.CheckResponse, error) {
	http := request.GetAttributes().GetRequest().GetHttp()
	token, found := strings.CutPrefix(headerOf(http, "authorization"), "Bearer ")
	if !found {
		return deny(envoytype.StatusCode_Unauthorized, codes.Unauthenticated), nil
	}
	proven := claims{}
	key := func(*jwt.Token) (any, error) { return v.key, nil }
	if _, err := v.parser.ParseWithClaims(token, &proven, key); err != nil {
		return deny(envoytype.StatusCode_Unauthorized, codes.Unauthenticated), nil
	}
	if strings.Contains(http.GetPath(), "/secrets") {
		return deny(envoytype.StatusCode_Forbidden, codes.PermissionDenied), nil
	}
	return allow(proven.Subject, proven.Groups), nil
}

// headerOf finds a header in either form that Envoy sends (encode_raw_headers).
func headerOf(http *auth.AttributeContext_HttpRequest, name string) string {
	for _, header := range http.GetHeaderMap().GetHeaders() {
		if header.GetKey() == name {
			return string(header.GetRawValue())
		}
	}
	return http.GetHeaders()[name]
}

func allow(user string, groups []string) *auth.CheckResponse {
	headers := []*core.HeaderValueOption{{
		Header:       &core.HeaderValue{Key: "x-remote-user", Value: user},
		AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}}
	for index, group := range groups {
		action := core.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD
		if index == 0 {
			action = core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD
		}
		headers = append(headers, &core.HeaderValueOption{
			Header:       &core.HeaderValue{Key: "x-remote-group", Value: group},
			AppendAction: action,
		})
	}
	return &auth.CheckResponse{
		Status: &status.Status{Code: int32(codes.OK)},
		HttpResponse: &auth.CheckResponse_OkResponse{OkResponse: &auth.OkHttpResponse{
			Headers:         headers,
			HeadersToRemove: []string{"authorization"},
		}},
	}
}

func deny(code envoytype.StatusCode, grpcCode codes.Code) *auth.CheckResponse {
	denied := &auth.DeniedHttpResponse{Status: &envoytype.HttpStatus{Code: code}}
	if code == envoytype.StatusCode_Unauthorized {
		denied.Headers = []*core.HeaderValueOption{{
			Header: &core.HeaderValue{Key: "www-authenticate", Value: "Bearer"},
		}}
	}
	return &auth.CheckResponse{
		Status:       &status.Status{Code: int32(grpcCode)},
		HttpResponse: &auth.CheckResponse_DeniedResponse{DeniedResponse: denied},
	}
}

// readKey reads the one EC key of a key set, on P-256.
func readKey(file string) (*ecdsa.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var set struct{ Keys []struct{ X, Y string } }
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	if len(set.Keys) != 1 {
		return nil, errors.New("the key set does not have one key")
	}
	x, err := base64.RawURLEncoding.DecodeString(set.Keys[0].X)
	if err != nil {
		return nil, err
	}
	y, err := base64.RawURLEncoding.DecodeString(set.Keys[0].Y)
	if err != nil {
		return nil, err
	}
	// SEC 1 §2.3.3: an uncompressed point.
	point := append(append([]byte{4}, x...), y...)
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}
