<?php

// A handler that does not parse.

return function ($event { return $event;
