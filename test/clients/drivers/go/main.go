// Drives the official Go SDK by lines of JSON on standard input; test/clients/driver.ts says which.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
)

const redirect = "http://127.0.0.1:51234/callback"

type asked struct {
	Op, URL, Token, Era, Transport, Name, Returned string
	SignIn                                         bool
	Arguments                                      map[string]any
}

var input = bufio.NewReaderSize(os.Stdin, 1<<20)

func heard(a *asked) bool {
	line, err := input.ReadBytes('\n')
	return err == nil && json.Unmarshal(line, a) == nil
}

func say(line any) {
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}

// bearer adds a token to each request, and lets each access token be one that ends at once where it is told to: the SDK
// then refreshes before the next request, which nobody can wait for in a test.
type bearer struct {
	token string
	aged  bool
}

func (b *bearer) RoundTrip(request *http.Request) (*http.Response, error) {
	if b.token != "" {
		request = request.Clone(request.Context())
		request.Header.Set("Authorization", "Bearer "+b.token)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil || !b.aged || !strings.HasSuffix(request.URL.Path, "/oauth/token") {
		return response, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if json.Unmarshal(body, &fields) == nil && fields["expires_in"] != nil {
		fields["expires_in"] = 1
		body, _ = json.Marshal(fields)
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response.Header.Del("Content-Length")
	return response, nil
}

func signIn(client *http.Client) (auth.OAuthHandler, error) {
	return auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{
			Metadata: &oauthex.ClientRegistrationMetadata{
				ClientName:              "Go SDK",
				RedirectURIs:            []string{redirect},
				GrantTypes:              []string{"authorization_code", "refresh_token"},
				TokenEndpointAuthMethod: "none",
			},
		},
		RequestRefreshToken: true,
		Client:              client,
		AuthorizationCodeFetcher: func(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			say(map[string]any{"open": args.URL})
			var answer asked
			if !heard(&answer) {
				return nil, io.ErrUnexpectedEOF
			}
			back, err := url.Parse(answer.Returned)
			if err != nil {
				return nil, err
			}
			query := back.Query()
			return &auth.AuthorizationResult{Code: query.Get("code"), State: query.Get("state"), Iss: query.Get("iss")}, nil
		},
	})
}

func listed(ctx context.Context, session *mcp.ClientSession) (any, error) {
	names := map[string][]string{"tools": {}, "prompts": {}, "resources": {}}
	for tool, err := range session.Tools(ctx, nil) {
		if err != nil {
			return nil, err
		}
		names["tools"] = append(names["tools"], tool.Name)
	}
	for prompt, err := range session.Prompts(ctx, nil) {
		if err != nil {
			return nil, err
		}
		names["prompts"] = append(names["prompts"], prompt.Name)
	}
	for resource, err := range session.Resources(ctx, nil) {
		if err != nil {
			return nil, err
		}
		names["resources"] = append(names["resources"], resource.URI)
	}
	return names, nil
}

func main() {
	ctx := context.Background()
	client := mcp.NewClient(&mcp.Implementation{Name: "go", Version: "1"}, nil)
	var session *mcp.ClientSession
	var handler auth.OAuthHandler
	way := &bearer{}
	perform := func(a asked) (any, error) {
		switch a.Op {
		case "connect":
			way.token = a.Token
			http := &http.Client{Transport: way}
			if a.SignIn && handler == nil {
				var err error
				if handler, err = signIn(http); err != nil {
					return nil, err
				}
			}
			var transport mcp.Transport = &mcp.StreamableClientTransport{Endpoint: a.URL, HTTPClient: http, OAuthHandler: handler}
			if a.Transport == "sse" {
				transport = &mcp.SSEClientTransport{Endpoint: a.URL, HTTPClient: http}
			}
			var err error
			session, err = client.Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: a.Era})
			return nil, err
		case "list":
			return listed(ctx, session)
		case "call":
			result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: a.Name, Arguments: a.Arguments})
			if err != nil {
				return nil, err
			}
			text := ""
			for _, part := range result.Content {
				if one, ok := part.(*mcp.TextContent); ok {
					text += one.Text
				}
			}
			return text, nil
		case "age":
			way.aged = true
			return nil, nil
		case "close":
			return nil, session.Close()
		}
		return nil, fmt.Errorf("no such op: %s", a.Op)
	}
	for {
		var a asked
		if !heard(&a) {
			return
		}
		value, err := perform(a)
		if err != nil {
			say(map[string]any{"ok": false, "error": err.Error()})
			continue
		}
		say(map[string]any{"ok": true, "value": value})
	}
}
