# Fit the rows of benchmarks/churn.py with R's coxph; only the fits are timed.
# Rscript with_coxph.R rows.bin ROWS COVARIATES fits.csv
library(survival)
given <- commandArgs(trailingOnly = TRUE)
n <- as.integer(given[2])
p <- as.integer(given[3])
file <- file(given[1], "rb")
rows <- as.data.frame(lapply(1:(4 + p), function(i) readBin(file, "double", n)))
close(file)
names(rows) <- c("customer", "start", "stop", "churned", paste0("x", 1:p))
model <- reformulate(paste0("x", 1:p), quote(Surv(start, stop, churned)))
plain <- system.time(fit <- coxph(model, rows, ties = "efron"))[["elapsed"]]
by_customer <- system.time(
  robust <- coxph(model, rows, ties = "efron", cluster = customer)
)[["elapsed"]]
fits <- cbind(coef(fit), sqrt(diag(vcov(fit))), sqrt(diag(vcov(robust))))
write.table(format(fits, digits = 15), given[4], sep = ",", quote = FALSE, row.names = FALSE, col.names = FALSE)
cat(sprintf('{"plain": %f, "by customer": %f}\n', plain, by_customer))
