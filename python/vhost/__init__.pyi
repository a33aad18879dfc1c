from vhost._vhost import *
from vhost._vhost import __version__ as __version__
