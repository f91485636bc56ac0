package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// standardInput is the path that means standard input.
const standardInput = "-"

// unusable is an input that cannot be used: which, why, and what to do.
type unusable struct{ path, problem, remedy string }

// errReadAlready is the error for a second use of standard input.
var errReadAlready = &unusable{standardInput, "standard input was read already", "give - once"}

func (e *unusable) Error() string { return e.path + ": " + e.problem + ": " + e.remedy }

// broken gives the words for an operating system's error on a path.
func broken(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &unusable{path, "no such file or folder", "check the spelling and the working directory"}
	case errors.Is(err, fs.ErrPermission):
		return &unusable{path, "it may not be read", "check its permissions"}
	}
	var detail *fs.PathError
	if errors.As(err, &detail) {
		err = detail.Err
	}
	return &unusable{path, err.Error(), "check that it is a file that can be read"}
}

// files gives the files that arguments stand for, in order: a folder stands
// for every *.json below it, or for those with one of the endings, sorted.
// Inputs that cannot be used are told of and left out.
func (s *session) files(paths []string, endings ...string) []string {
	if len(endings) == 0 {
		endings = []string{".json"}
	}
	var out []string
	for _, path := range paths {
		found := []string{path}
		if path != standardInput {
			info, err := os.Stat(path)
			if err != nil {
				s.fault(broken(path, err))
				continue
			}
			if info.IsDir() {
				found = s.below(path, endings)
			}
		}
		for _, f := range found {
			if !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

// below gives every file below a folder that has one of the endings. Symbolic links are not followed,
// which could lead round in circles or out of the folder.
func (s *session) below(folder string, endings []string) []string {
	var out []string
	links := 0
	// The slash makes a link given by name a folder again.
	err := filepath.WalkDir(folder+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			s.fault(broken(path, err))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir() || !slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(path, e) }):
		case d.Type()&fs.ModeSymlink != 0:
			// What is not judged must not look judged.
			links++
			s.fault(&unusable{path, "a symbolic link is not followed", "name the file itself"})
		case !d.Type().IsRegular():
			s.fault(&unusable{path, "it is no regular file", "name it by itself to read it"})
		default:
			out = append(out, path)
		}
		return nil
	})
	if err != nil {
		s.fault(broken(folder, err))
	}
	if len(out) == 0 && links == 0 && err == nil {
		s.fault(&unusable{folder, "no *" + endings[0] + " file below this folder", "name the files"})
	}
	return out
}

// read gives what a file holds, up to one byte more than the limit, so that
// whoever parses it can tell that it is too large.
func (s *session) read(path string, limit int64) ([]byte, error) {
	if path == standardInput {
		if s.stdin {
			return nil, errReadAlready
		}
		s.stdin = true
		text, err := io.ReadAll(io.LimitReader(s.in, limit+1))
		if err != nil {
			return nil, broken(path, err)
		}
		return text, nil
	}
	f, err := os.Open(path) //nolint:gosec // reading what the user names is the purpose
	if err != nil {
		return nil, broken(path, err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, broken(path, err)
	}
	return text, nil
}

// organization reads the rules file; without one the organization is empty.
func (s *session) organization(path string) (*org.Rules, error) {
	if path == "" {
		return org.Empty(), nil
	}
	text, err := s.read(path, org.MaxBytes)
	if err != nil {
		return nil, err
	}
	r, err := org.Parse(path, text, s.now())
	if err != nil {
		return nil, err
	}
	if err := rules.CheckFile(path, r); err != nil {
		return nil, err
	}
	return r, nil
}

// learn reads what the flags say about the role.
func (k situation) learn(s *session) (*org.Rules, role.Role, error) {
	var r role.Role
	if k.RoleARN != "" {
		a, err := role.ParseARN(k.RoleARN)
		if err != nil {
			return nil, r, fmt.Errorf("--role-arn: %w", err)
		}
		r = role.Role{Partition: a.Partition, Account: a.Account, Path: a.Path, Name: a.Name, ARN: k.RoleARN}
	}
	o, err := s.organization(k.Rules)
	return o, r, err
}

// shown gives a request as it may be printed.
func (c secrecy) shown(r *access.Request) *access.Request {
	if r == nil || c.ShowSecrets {
		return r
	}
	masked := r.Masked()
	return &masked
}
