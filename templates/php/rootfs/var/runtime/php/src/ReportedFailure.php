<?php

declare(strict_types=1);

namespace RuntimeBuilder;

/** A failure that another process of ours has described already. */
final class ReportedFailure extends \RuntimeException
{
    public function __construct(public readonly ErrorReport $report)
    {
        parent::__construct('reported by another process');
    }
}
