package table_test

import (
	"os"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/awsapi/mototest"
)

// motoServer is one process for all tests of this binary.
var motoServer = &mototest.Server{}

func TestMain(m *testing.M) { os.Exit(motoServer.Main(m)) }
