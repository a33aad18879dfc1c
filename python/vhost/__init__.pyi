from vhost import trace as trace
from vhost._recordings import DifferenceError as DifferenceError
from vhost._replay import Replayed as Replayed
from vhost._replay import replay as replay
from vhost._system import System as System
from vhost._system import exit_code as exit_code
from vhost._system import init as init
from vhost._system import notify as notify
from vhost._system import restore as restore
from vhost._system import save as save
from vhost._system import shutdown as shutdown
from vhost._system import status as status
from vhost._system import tick as tick
from vhost._vhost import *
from vhost._vhost import __version__ as __version__
